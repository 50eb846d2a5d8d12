"""What is kept, in layers: each imports only what stands below it (ADR 034).

seen         the door: the archive as one person sees it, and as whoever looks after the machine does
examine      whether all of it holds together, how it is, and what a crash left set right
backup       a copy elsewhere, which never brings back what was erased since
review       a team lead hears and judges the training sample
keys         a key is kept in escrow, replaced or ended
retention    what ends, when, and who decides it
archive      one folder, opened
finding      rows for a person: search, one recording, a desk's own calls
changes      a handler for each change, and the ledger that writes them
catalog      the encrypted database and its transaction
log          entries and their chain, signed heads
crypto       sealed keys, the keyring's keys, passphrases
files        a recording's file, from its bytes to its sound
folder       the archive's folder as files: disk, locks, marker
schema       the tables, and how they came to be
"""
