"""No job starts that would take what the host keeps for itself.

tries: a job whose memory would leave the host less than it keeps
parts: reserve.kept
family: 8
kinds: experiment
judge: host
needs: whole policy
"""

from probing import done

done()
