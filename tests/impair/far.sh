#!/bin/sh
# Runs $FAR_PROGRAM with these arguments at the far end of the link, for those who start a program
# by its name alone.
exec nsenter --net="$IMPAIR_FAR" -- "$FAR_PROGRAM" "$@"
