"""Known fact-checks beside what a post claims. It matches and says how sure it is; it never says what is true."""
