"""Files written whole and read without trust, for everything that is saved.

Words are JSON and numbers are plain arrays; nothing is pickled, and nothing of a file
is believed before it was measured.
"""
