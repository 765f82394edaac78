"""`forewarn explain`: what lies behind one event, from the record of its decision."""
