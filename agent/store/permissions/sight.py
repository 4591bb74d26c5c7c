"""Who sees which jobs, kept where it can be looked up by a job's number: by triggers, whoever makes, gives or shares it."""

# ruff: noqa: S608  (its statements are its own, made of constants)
from __future__ import annotations

_ADD = "INSERT OR IGNORE INTO job_readers (account_id, principal_id, job_number)"
_OWNER = f"{_ADD} VALUES (NEW.account_id, NEW.owner_id, NEW.number);"
_GIVEN = (
    "CREATE TRIGGER job_readers_given AFTER UPDATE OF owner_id ON jobs BEGIN "
    "DELETE FROM job_readers WHERE account_id = OLD.account_id AND principal_id = OLD.owner_id "
    "AND job_number = OLD.number AND NOT EXISTS (SELECT 1 FROM shares WHERE account_id = OLD.account_id "
    f"AND kind = 'job' AND subject_id = OLD.id AND principal_id = OLD.owner_id); {_OWNER} END"
)
_SHARED = (
    "CREATE TRIGGER job_readers_shared AFTER INSERT ON shares WHEN NEW.kind = 'job' BEGIN "
    f"{_ADD} SELECT NEW.account_id, NEW.principal_id, number FROM jobs "
    "WHERE id = NEW.subject_id AND account_id = NEW.account_id; END"
)
_UNSHARED = (
    "CREATE TRIGGER job_readers_unshared AFTER DELETE ON shares WHEN OLD.kind = 'job' BEGIN "
    "DELETE FROM job_readers WHERE account_id = OLD.account_id AND principal_id = OLD.principal_id "
    "AND job_number IN (SELECT number FROM jobs WHERE id = OLD.subject_id AND account_id = OLD.account_id "
    "AND owner_id <> OLD.principal_id); END"
)
DDL = (f"CREATE TRIGGER job_readers_made AFTER INSERT ON jobs BEGIN {_OWNER} END", _GIVEN, _SHARED, _UNSHARED)
