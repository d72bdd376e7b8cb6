"""Doubles and stories that several tests share; each is as honest as what it stands for, or the tests lie."""
