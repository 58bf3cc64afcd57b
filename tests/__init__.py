"""Tests; packages, so that test modules can share code by import."""
