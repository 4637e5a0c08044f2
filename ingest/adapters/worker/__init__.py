"""The Faust runtime of one replica: group membership and threads are Faust's, delivery is ours."""
