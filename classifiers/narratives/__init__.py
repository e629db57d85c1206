"""Election narratives, told from protected speech and ordinary talk in six languages.

Trained columns (`columns.py`) read what the words of a post mean (`concepts.py`, `evidence.py`), and give a code only
to a post that speaks of what the code is about (`subject.py`). In three languages likeness to plain examples stands
beside them (`likeness.py`).
"""
