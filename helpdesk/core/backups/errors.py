"""What can go wrong with a backup; the text of each is one sentence for the operator."""


class BackupError(Exception):
    """A backup could not be made, read or restored; what was there before is still there."""


class NoRoom(BackupError):
    """There is not enough free space; older backups are kept."""


class Unusable(BackupError):
    """A file is no backup, is damaged, or does not fit this version."""


class WrongPassphrase(Unusable):
    """A backup is encrypted and cannot be opened with what was given."""


class Refused(BackupError):
    """What was asked for would overwrite something; the text says what to do."""
