"""How everything looks: colours by meaning, sizes, fonts and icons. It knows no widget's words."""
