# Similar to BSRGAN and Real-ESRGAN; the steps of an inner list come in random order
degradation = dict(
    type='sr4ir_mm.RandomDegradation',
    scale=4,
    steps=[
        # blur of lens and hand, in pixels of HR; direction 0 is symmetric, so that the image does not shift
        [
            dict(type='RandomGaussianBlur', kernel_size=21, sigma=(0.2, 3.0), border_type='replicate', p=0.8),
            dict(
                type='RandomMotionBlur', kernel_size=(7, 15), angle=180.0, direction=0.0, border_type='replicate', p=0.2
            ),
        ],
        # noise of the sensor, and what happens when an image is passed on
        [
            dict(type='Downsample'),
            dict(type='RandomGaussianBlur', kernel_size=7, sigma=(0.2, 1.0), border_type='replicate', p=0.3),
            dict(type='RandomResize', factor=(0.6, 1.4)),
            dict(type='RandomNoise', std=(0.0, 0.08), shot=(0.0, 0.01), gray=0.4),
            dict(type='RandomJPEG', jpeg_quality=(50.0, 95.0), p=0.5),
        ],
        dict(type='RandomJPEG', jpeg_quality=(30.0, 95.0)),
    ],
)
