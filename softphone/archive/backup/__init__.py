"""A copy of the archive in another place, which never brings back what has been erased since.

copying.py      files, byte for byte: copied, compared, erased
generation.py   the folder of a backup, and the generation in it that counts: one moment of the archive, signed
erased.py       what was erased, ended or locked since that moment: a sealed list beside it
run.py          the next generation is made; the list is kept up to date; how old each folder is
check.py        every byte is compared; a damaged copy is made again from the archive
restore.py      a generation and its list become an archive again
"""
