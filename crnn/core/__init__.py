"""The ground floor: everything that reading needs, without torch."""
