"""Networks of other libraries in the form that SR4IR expects."""
