"""The team lead's window: the training sample, heard, commented and scored. Its work is done by the threads in `work`."""
