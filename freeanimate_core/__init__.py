"""FreeAnimate, the method, in torch. Only ``host`` knows the program that runs it."""
