"""The record of administrative acts: append-only, chained, searchable.

An entry is written in the transaction of its act (:func:`record`). Later it is linked to a chain of digests; what is
taken out, put in between or changed afterwards breaks it. The details of an entry count by a salted digest alone, so
that a person in them can be erased and the chain still holds (docs/security/audit.md).
"""

from helpdesk.core.audit.recording import record

__all__ = ["record"]
