"""The commands on an archive, in words for a person: what `softphone.archive` gives, in sentences on stdout."""
