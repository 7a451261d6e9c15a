"""FreeAnimate, the method, in torch. Only the folder ``host`` knows the program that runs it."""
