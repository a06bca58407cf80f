"""Encrypted forms: the key of the forms, opening of submissions, and the servers that hold them as ciphertext."""
