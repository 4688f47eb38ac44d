#!/bin/sh
# Samples of every kind land in their row of profile.sh's table.
dir=$(dirname "$0")
want='{"bench":"profile","samples":12,"kernel send":8.3,"kernel send: delivery on loopback":8.3,"kernel receive":16.7,"kernel wait and wake":8.3,"kernel other":8.3,"crypto":16.7,"ours":16.7,"C library":8.3,"other libraries":8.3}'
got=$("$dir/profile.sh" --script "$dir/profile_sample.txt" | tail -n 1)
if [ "$got" = "$want" ]; then
    echo "profile_test: 1 passed, 0 failed"
else
    printf 'wanted %s\ngot    %s\nprofile_test: 0 passed, 1 failed\n' "$want" "$got"
    exit 1
fi
