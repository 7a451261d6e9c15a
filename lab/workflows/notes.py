"""What the templates say in their notes, by the template's number."""

MODELS = """## 1. Get the models
Framed nodes are normal now: they wait for files. **View details** at the upper right has the downloads and folders \
of the models; any file of the kind will do. Picture and clip are yours to choose.
"""

WIDGETS = """## What the widgets mean
- `width`, `height`: of the film, in the shape of your picture; multiples of 64
- `first frame`, `frames`: of the clip
- `preset`: people for photos, drawn for cartoons, paper redraws all
- `steps`: more is slower; `cfg`: 2 to 4

The upper text box is the prompt, the lower one says what to avoid.
"""

CHECKS = """## Look at the two checks
In the first the skeleton should lie on the figure. What is wrong in the second stays wrong in the film. **Checks in \
words** says what was found.
"""

NOTES = {
    "01": """# Try it now

A person stands in one picture. The graph makes the person wave, with the small model that comes with the node pack: \
no file, no download.

## 1. Press Run
It takes one to two minutes on two processor cores; the green bar fills several times. Then press play in **Save \
Video**. The film is kept in ComfyUI's output folder, below `video`.

## 2. Change `seed` of Demo Character
Another person. Then `motion`: walk, squat, raised arms, sway.

## For your own picture
Open the template `02 animate a character`. `01 opened up` shows every step of the method; so does **Animate \
Character**, by the button at its upper right (Nodes 2.0: *Enter*, at its foot).
""",
    "02": f"""# Animate a character

A picture of a person and a clip of somebody moving go in. A film of that person moving so comes out.

{MODELS}
## 2. Picture, clip, prompt
One person in each, seen in full, facing the viewer. The prompt says what the picture shows.

## 3. Press Run
That makes 8 frames. Then raise `frames`.

{WIDGETS}
{CHECKS}
## Hair, loose clothes, a busy room?
Join **Load Background Removal Model** and **Remove Background** to `person_mask`.
""",
    "03": f"""# The same with SDXL

As `02 animate a character`, on an SDXL checkpoint with an openpose ControlNet for SDXL; those of SD1.5 do not fit.

{MODELS}
## 2. Picture, clip, prompt
One person in each, seen in full, facing the viewer. The prompt says what the picture shows.

## 3. Press Run
That makes 8 frames. Then raise `frames`. Size: near 832x1216, or 1024x1024.

## Memory short?
Open the big node; `frames_per_window` 1 or 2 in **DDIM Inversion** and **Patch Model**. The result is the same.
""",
    "04": f"""# Previews from another tool

The preview frames come as a clip: from a 3D program, a warping tool, another video model, or painted over. They are \
redrawn with the face, clothes and colours of the picture.

{MODELS}
## 2. Picture, previews, prompt
Where a preview shows the person, and in which pose, is kept; so is its background.

## 3. Press Run
That makes 24 frames. `width`, `height`: multiples of 64.

## Too crude?
Open the big node: less `self_span` in **Patch Model** gives more freedom to repair a preview.
""",
    "05": f"""# A long clip

As `02 animate a character`, for clips of any length: it is made part by part.

{MODELS}
## 2. Picture, clip, prompt
One person in each, seen in full, facing the viewer.

## 3. Press Run
That makes 16 frames and keeps no parts. Look at the result.

## 4. Set `run name` and all `frames`
Finished parts are kept in the folder `output/freeanimate/` of that name: after a stop only the missing ones are \
made. One name for each clip and its settings. `frames to make again`: as in `12, 40-47`. `range`: a part of the clip, \
as for several machines; 0 frames: to its end.
""",
    "06": f"""# SamplerCustomAdvanced and a LoRA

**Patch Model** gives out an ordinary model. Here it runs in ComfyUI's own sampler, after a LoRA.

{MODELS}
## 2. Picture, clip, LoRA, prompt
One person in each, seen in full, facing the viewer.

## 3. Press Run
That makes 8 frames. Then raise `frames`.

## Three rules
- The LoRA comes before **DDIM Inversion** and **Patch Model**.
- The sampler takes `sigmas` and `noise` of **DDIM Inversion**, and adds no noise.
- `euler`; heun and dpm_2 need `storage` `recompute`.

A `cfg` of 2 to 3 is enough: it acts in all steps here.
""",
    "07": """# With and without

One preview, animated four times: with RA-SA and IBA, with one of them alone, with neither. **Compare Videos** sets \
them beside the real frames and measures them. No file, no download.

## 1. Press Run
It takes about four minutes on two processor cores.

## 2. Change `seed` and `motion`
of **Demo Character**.

## 3. Read **The measures**
Higher is better for PSNR and SSIM, lower for the rest. The preview is good already, so the four differ little.

## What the two parts do
- **RA-SA**: every frame looks at the reference picture: face, clothes, colours.
- **IBA**: repeats the attention that the preview had on its way to noise: pose, layout, background.
""",
    "08": f"""# Check on your own video

The first frame of a clip is the picture, its own poses are the motion, and the clip is what should come out. The \
paper is measured this way.

{MODELS}
## 2. Clip and prompt
One person, seen in full, a camera that stands still.

## 3. Press Run
That takes 16 frames.

## 4. Read **The measures**
Higher is better for PSNR and SSIM, lower for the rest. And look: a preview with cut seams can measure better than a \
result that looks whole.
""",
}


def note(number: str) -> str:
    """The note of a template."""
    return NOTES[number].strip()
