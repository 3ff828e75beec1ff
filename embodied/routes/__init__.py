"""The routes from a program to motion. They are siblings: none imports another."""
