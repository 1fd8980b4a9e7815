"""Training room: from labelled pictures to the weights the edge runs, and the figures that say
how good they are.
"""
