"""The house's rows, asked for as one person: a transaction is an object, and whoever asks takes it as the first argument."""
