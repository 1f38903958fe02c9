#!/bin/bash
# Lab placeholder for the script of this name that NGINX Instance Manager brings. It does nothing.
exit 0
