"""VoxPoser: composed 3D value maps, planned over voxels and replanned while the arm moves."""
