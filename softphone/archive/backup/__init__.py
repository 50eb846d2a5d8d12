"""A copy of the archive in another place, which never brings back what has been erased since.

target.py    the folder of a backup: what lies there, and which of it counts
copying.py   catalog and recordings, byte for byte, with their SHA-256
touched.py   what a backup has yet to hear of, and by whom it has been told
terms.py     a recording's terms as they are now, and how they are taken up elsewhere
journal.py   those terms, sealed, in the backup's folder: a line the moment they change
alone.py     one at a time, and what a killed one left
run.py       a backup is made; what has gone meanwhile goes there too
check.py     every byte is compared; a copy that is damaged is made anew from the archive
restore.py   a backup becomes an archive again, without what has been erased since
"""
