"""The page behind the links in messages: a question or a trouble, and a button that answers. See `server`."""
