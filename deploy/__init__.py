"""What surrounds the services: sample applications, the local runner, containers.

Everything here may import `services` and `shared`; nothing there imports anything from here.
"""
