"""One file a page. A page takes a `Visit`, calls the desk's own functions and answers with a template."""
