"""The commands on an archive, told to a person: what `softphone.archive` gives, in sentences on stdout."""
