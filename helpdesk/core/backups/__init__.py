"""Backups: one tar with the database, the files and the keys of an installation, and the way back.

``making`` writes them, ``restoring`` brings them back, ``verifying`` tries that in a throw-away place, ``rotation``
takes old ones away, ``notes`` knows which ones there are, ``bond`` which database a restored home
belongs to.
"""
