"""Tests of the page behind the links in messages."""
