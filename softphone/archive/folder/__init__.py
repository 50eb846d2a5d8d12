"""The archive's folder as files: what a disk refuses, links, locks, the marker, and whom the folder is shared with."""
