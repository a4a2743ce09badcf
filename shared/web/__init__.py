"""What the HTTP edges of all services share: the application factory, problem details, limits, keys, links, pages."""
