"""Sample services that deteriorate in different ways, played through the real product in fast motion."""
