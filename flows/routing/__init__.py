"""What calls a handler and what starts a flow: routers, triggers, and what stands before them."""
