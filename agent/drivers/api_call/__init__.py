"""The job type `api-call`: an HTTP request, with conditions on its answer."""
