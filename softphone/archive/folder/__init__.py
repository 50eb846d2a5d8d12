"""The archive's folder as files: what a disk refuses, links, locks, and the marker."""
