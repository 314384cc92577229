"""The socket, the audio, playback position, what the caller has heard; soft state only."""
