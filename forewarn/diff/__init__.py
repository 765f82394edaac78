"""`forewarn diff`: says in words what an apply would change, for whom, and what of the counted past it keeps."""
