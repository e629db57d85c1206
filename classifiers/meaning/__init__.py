"""Abuse that an encoder tells by what a post means: one model a language, which asks the reader of codes."""
