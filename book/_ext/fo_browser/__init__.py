"""Python for the cells that run in a reader's browser: the archive that a page loads on "Run" holds this package.

It is imported in two places, and so needs the standard library alone: by the build, which says on each page which
cells can run there, and by Pyodide in the browser, which runs them.
"""
