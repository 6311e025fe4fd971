"""Records: pictures of a walk joined with force labels, stored by TFDS, streamed in batches.

From a trial to a batch:

    walker_views   a video -> the pictures of each walk across it
    pictures       pictures to a size, to standardised gray, and to a frame rate
    trial_forces   a trial's force file, read, checked and placed on the video's clock
    plate_contacts, plate_checks, force_labels   plate forces -> contacts -> labels of both legs
    trial_labels   a trial's forces -> labels at the times of its pictures
    voxels         pictures and labels -> voxels
    trial_records  a trial -> records, which the data set's builder stores
    record_writer, label_tables   what is stored: the records, and their labels apart
    voxel_dataset  the stored records of each subject
    label_index, force_intervals, input_pipeline   records -> a rebalanced stream of batches
"""
