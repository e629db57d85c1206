"""What a post is: language, roster links, linear heads, stories, and the order of the steps."""
