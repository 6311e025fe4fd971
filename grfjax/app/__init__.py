"""The application for a clinic: films come in by a browser, and stay in the house.

`README.md` beside this file describes its routes and pages for whoever changes them.
"""
