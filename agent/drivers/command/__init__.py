"""The job type `command`: a program, with its whole process tree under control."""
