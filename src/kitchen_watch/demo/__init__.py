"""Sample cameras and a sample district, so that anybody can see the product run."""
