"""Display: shows watches in a page, in a file or in a terminal."""
