"""The pages of the desk: plain server-rendered HTML that works without JavaScript.

`app` joins everything; `routes` is the list of pages; `authorize` says who may see which; `security` guards every
request; `visit` is what a page is handed; `pages/` holds one file a page and `templates/` one template a page.
"""
