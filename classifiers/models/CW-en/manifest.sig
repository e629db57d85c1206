ed25519 cbc9fb0b8fa25c29 Bfdmh/P0yF+nKpKEu5iAXOkkEKCrF8l9+kdDM+yogw4iNe9cBtdRR/7zU7cWpK+OAlraeuABH+YhqyvXLmVhBA==
