"""At whom is an abusive post aimed? Who is attacked, apart from who is spoken to and who is only mentioned.

`step` is the step of the pipeline; `reader` has spaCy read a post with the rules of its language (`rules/*.toml`);
`verdict` decides on what was read. docs/targets.md tells the whole of it.
"""
